"""The interface of Hugging Face's Daily Papers, so that its official client reads this newspaper.

Shapes and meanings are those of ``huggingface_hub`` 1.8 to 2.4 (``hf_api.py``: ``list_daily_papers``, ``list_papers``,
``paper_info``, ``read_paper``) and of 10,276 recorded answers. What differs stands in docs/user/hugging-face.md.
"""
