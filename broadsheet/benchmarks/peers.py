"""What somebody might take instead, each engine with the settings that its documentation recommends on one machine.

They run in an environment of their own (`requirements/peers.in`), one process for each, with as many threads as the
core that they are bound to: one. Filters are by the first category of a paper and by its year.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from broadsheet.search.embedding.minilm import MiniLm
from search_data import CACHE, WIDTH, Data, Paper, Question
from timing import Stopwatch

_BATCH = 2_000
_PAGE = 20


def _category(paper: Paper) -> str:
    return str((paper["categories"] or [""])[0])


class Peer:
    """What all of them share: where they are, what they read, and the product's model for what is typed."""

    def __init__(self, folder: Path, data: Data, count: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._data, self._count = folder, data, count
        self._model = MiniLm(CACHE / "models")
        self._way = ""

    def _encoded(self, question: Question) -> Any:
        return self._model.encode([question.plain])[0]

    def _own_vector(self, question: Question) -> Any:
        return self._data.vectors(question.pk, question.pk)[0]


class Fts5(Peer):
    """SQLite's full-text index (https://www.sqlite.org/fts5.html)."""

    NAME = "fts5"
    SETTINGS = (
        "columns title, abstract, authors; porter unicode61; prefix indexes of 2 and 3 letters; bm25 with title x 2; "
        "optimised after loading; filters in an indexed table beside it; 64 MB cache, 1 GB mapped; text is stored, "
        "as its own highlighting needs it"
    )
    WAYS = ("words", "titles")
    CANNOT: ClassVar = {"both": "it has no vectors", "related": "it has no vectors", "meaning": "it has no vectors"}

    def build(self) -> dict[str, Any]:
        """Rows in one transaction per batch, then the index made into one piece."""
        base = self._opened()
        base.executescript(
            """CREATE VIRTUAL TABLE search USING fts5(title, abstract, authors,
                   tokenize='porter unicode61 remove_diacritics 2', prefix='2 3');
               INSERT INTO search(search, rank) VALUES('rank', 'bm25(2.0, 1.0, 1.0)');
               CREATE TABLE papers(pk INTEGER PRIMARY KEY, category TEXT, year INTEGER, day TEXT);"""
        )
        with Stopwatch(self._data) as words:
            for batch in self._data.batches(self._count, _BATCH):
                rows = [(each["pk"], each["title"], each["abstract"], ", ".join(each["authors"])) for each in batch]
                sides = [(each["pk"], _category(each), int(each["day"][:4]), each["day"]) for each in batch]
                with base:
                    base.executemany("INSERT INTO search(rowid, title, abstract, authors) VALUES(?, ?, ?, ?)", rows)
                    base.executemany("INSERT INTO papers VALUES(?, ?, ?, ?)", sides)
            with base:
                base.execute("CREATE INDEX by_category ON papers(category, day)")
                base.execute("CREATE INDEX by_year ON papers(year)")
                base.execute("INSERT INTO search(search) VALUES('optimize')")
            base.execute("ANALYZE")
            base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        base.close()
        return {"words": words.figures(self._count)}

    def prepare(self, way: str) -> None:
        """Open the file."""
        self._way = way
        self._base = self._opened()

    def ask(self, question: Question) -> int:
        """The keys of a page."""
        base = self._base
        if self._way == "titles":
            *whole, last = question.typed.split()
            typed = " AND ".join([*map(_quoted, whole), f"{_quoted(last)}*"])
            found = base.execute("SELECT rowid FROM search WHERE search MATCH ? LIMIT 8", (f"title : ({typed})",))
            return len(found.fetchall())
        if question.kind == "category, newest":
            found = base.execute(
                "SELECT pk FROM papers WHERE category = ? ORDER BY day DESC LIMIT 20", (question.category,)
            )
            return len(found.fetchall())
        match = _quoted(question.phrase) if question.phrase else " OR ".join(map(_quoted, question.words))
        # Matches first, each looked up beside: the other way round it would match anew for every paper that passes.
        narrowed, values = "", [match]
        if question.year:
            narrowed, values = "CROSS JOIN papers ON pk = search.rowid AND year = ?", [question.year, match]
        if question.category:
            narrowed, values = "CROSS JOIN papers ON pk = search.rowid AND category = ?", [question.category, match]
        wanted = f"SELECT search.rowid FROM search {narrowed} WHERE search MATCH ? ORDER BY rank LIMIT 20"
        return len(base.execute(wanted, values).fetchall())

    def _opened(self) -> sqlite3.Connection:
        base = sqlite3.connect(self._folder / "search.sqlite")
        for said in ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-64000", "mmap_size=1073741824"):
            base.execute(f"PRAGMA {said}")
        return base


def _quoted(word: str) -> str:
    return '"' + word.replace('"', " ") + '"'


class LanceDb(Peer):
    """LanceDB with its own full-text index and vectors (https://docs.lancedb.com)."""

    NAME = "lancedb"
    SETTINGS = (
        "one text column (title, abstract, authors), positions, English stemming; IVF_PQ with its default numbers, "
        "from 50,000 rows on, else exact; 20 probes, refined 10 times; scalar indexes on category and year; fusion by "
        "its default (reciprocal ranks); misspelt words with fuzziness 1; no highlighting"
    )
    WAYS = ("words", "both", "meaning", "related")
    CANNOT: ClassVar = {"titles": "its full-text index has no search for unfinished words in order of titles"}
    _EXACT = 50_000

    def build(self) -> dict[str, Any]:
        """Rows, then each index."""
        import lancedb
        import pyarrow as pa
        from lancedb.index import FTS, Bitmap, BTree, IvfPq

        schema = pa.schema(
            [
                ("pk", pa.int64()),
                ("title", pa.string()),
                ("abstract", pa.string()),
                ("text", pa.string()),
                ("category", pa.string()),
                ("year", pa.int32()),
                ("day", pa.string()),
                ("vector", pa.list_(pa.float32(), WIDTH)),
            ]
        )

        def rows() -> Iterator[Any]:
            for batch in self._data.batches(self._count, _BATCH):
                vectors = self._data.vectors(batch[0]["pk"], batch[-1]["pk"])
                columns = [
                    pa.array([each["pk"] for each in batch], pa.int64()),
                    pa.array([each["title"] for each in batch]),
                    pa.array([each["abstract"] for each in batch]),
                    pa.array([_text(each) for each in batch]),
                    pa.array([_category(each) for each in batch]),
                    pa.array([int(each["day"][:4]) for each in batch], pa.int32()),
                    pa.array([each["day"] for each in batch]),
                    pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), WIDTH),
                ]
                yield pa.record_batch(columns, schema=schema)

        base = lancedb.connect(str(self._folder))
        with Stopwatch(self._data) as load:
            table = base.create_table("papers", data=pa.RecordBatchReader.from_batches(schema, rows()))
        with Stopwatch(self._data) as words:
            table.create_index("text", config=FTS(with_position=True))
            table.create_index("category", config=Bitmap())
            table.create_index("year", config=Bitmap())
            table.create_index("pk", config=BTree())
        figures = {"load": load.figures(self._count), "words": words.figures(self._count)}
        if self._count >= self._EXACT:
            with Stopwatch(self._data) as vectors:
                table.create_index("vector", config=IvfPq(distance_type="cosine"))
            figures["vectors"] = vectors.figures(self._count)
        return figures

    def prepare(self, way: str) -> None:
        """Open the table."""
        import lancedb

        self._way = way
        self._table = lancedb.connect(str(self._folder)).open_table("papers")

    def ask(self, question: Question) -> int:
        """The keys of a page; with "both", titles and abstracts too."""
        found = self._search(question)
        narrowed = f"category = '{question.category}'" if question.category else ""
        narrowed = f"year = {question.year}" if question.year else narrowed
        if narrowed:
            found = found.where(narrowed)
        columns = ["pk", "title", "abstract"] if self._way == "both" else ["pk"]
        if question.kind == "category, newest":
            # It has no order by a column: the newest are picked out of all that pass.
            rows = found.select(["pk", "day"]).limit(self._count).to_arrow()
            return int(rows.sort_by([("day", "descending")]).slice(0, _PAGE).num_rows)
        return int(found.select(columns).limit(_PAGE).to_arrow().num_rows)

    def _search(self, question: Question) -> Any:
        from lancedb.query import MatchQuery, PhraseQuery

        if question.kind == "category, newest":
            return self._table.search()
        if self._way in ("meaning", "related"):
            vector = self._own_vector(question) if self._way == "related" else self._encoded(question)
            return self._table.search(vector).distance_type("cosine").nprobes(20).refine_factor(10)
        text: Any = MatchQuery(question.plain, "text", fuzziness=1 if question.kind == "misspelt" else 0)
        if question.phrase:
            text = PhraseQuery(question.phrase, "text")
        if self._way == "both":
            found = self._table.search(query_type="hybrid").vector(self._encoded(question)).text(text)
            return found.distance_type("cosine").nprobes(20).refine_factor(10)
        return self._table.search(text, query_type="fts")


def _text(paper: Paper) -> str:
    return f"{paper['title']}. {paper['abstract']} {', '.join(paper['authors'])}"


class MilvusLite(Peer):
    """Milvus Lite with vectors alone (https://milvus.io/docs/milvus_lite.md)."""

    NAME = "milvus-lite"
    SETTINGS = "HNSW (M 16, efConstruction 200, ef 128), cosine; category and year as fields with inverted indexes"
    WAYS = ("meaning", "related")
    CANNOT: ClassVar = {
        "words": "measured with vectors only: its analyzers have no English stemming",
        "both": "measured with vectors only",
        "titles": "it has no search for unfinished words",
        "phrase": "vectors have no phrases",
        "category, newest": "it has no order by a field",
    }

    def build(self) -> dict[str, Any]:
        """Rows in batches, then everything flushed, indexed and loaded."""
        from pymilvus import DataType, MilvusClient

        client = MilvusClient(str(self._folder / "papers.db"))
        schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("pk", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=WIDTH)
        schema.add_field("year", DataType.INT64)
        schema.add_field("category", DataType.VARCHAR, max_length=40)
        indexes = client.prepare_index_params()
        indexes.add_index("vector", index_type="HNSW", metric_type="COSINE", params={"M": 16, "efConstruction": 200})
        indexes.add_index("year", index_type="INVERTED")
        indexes.add_index("category", index_type="INVERTED")
        client.create_collection("papers", schema=schema, index_params=indexes)
        with Stopwatch(self._data) as vectors:
            for batch in self._data.batches(self._count, _BATCH):
                rows = self._data.vectors(batch[0]["pk"], batch[-1]["pk"])
                entries = [
                    {"pk": each["pk"], "vector": row, "year": int(each["day"][:4]), "category": _category(each)}
                    for each, row in zip(batch, rows, strict=True)
                ]
                client.insert("papers", entries)
            client.flush("papers")
            client.load_collection("papers")
            client.search("papers", data=[rows[0]], limit=1)
        client.close()
        return {"vectors": vectors.figures(self._count)}

    def prepare(self, way: str) -> None:
        """Open the file and load the collection."""
        from pymilvus import MilvusClient

        self._way = way
        self._client = MilvusClient(str(self._folder / "papers.db"))
        self._client.load_collection("papers")

    def ask(self, question: Question) -> int:
        """The keys of a page."""
        vector = self._own_vector(question) if self._way == "related" else self._encoded(question)
        narrowed = f'category == "{question.category}"' if question.category else ""
        narrowed = f"year == {question.year}" if question.year else narrowed
        found = self._client.search(
            "papers", data=[vector], limit=_PAGE, filter=narrowed, search_params={"params": {"ef": 128}}
        )
        return len(found[0])


class Bm25s(Peer):
    """bm25s (https://github.com/xhluca/bm25s)."""

    NAME = "bm25s"
    SETTINGS = (
        "English stop words and stemming (PyStemmer), numba backend, title, abstract and authors as one text, files "
        "mapped; filters as masks of weights"
    )
    WAYS = ("words",)
    CANNOT: ClassVar = {
        "both": "it has no vectors",
        "meaning": "it has no vectors",
        "related": "it has no vectors",
        "titles": "it has no search for unfinished words",
        "phrase": "it has no phrases",
        "category, newest": "it has no filters without words",
        "changes": "it has no way to add a paper: the whole is built again",
    }

    def build(self) -> dict[str, Any]:
        """All texts at once: there is no other way."""
        import bm25s

        texts, categories, years = [], [], []
        for batch in self._data.batches(self._count, _BATCH):
            texts += [_text(paper) for paper in batch]
            categories += [_category(paper) for paper in batch]
            years += [int(paper["day"][:4]) for paper in batch]
        with Stopwatch(self._data) as words:
            tokens = bm25s.tokenize(texts, stopwords="en", stemmer=self._stemmer(), show_progress=False)
            index = bm25s.BM25(backend="numba")
            index.index(tokens, show_progress=False)
            index.save(self._folder)
        names = sorted(set(categories))
        numbers = {name: number for number, name in enumerate(names)}
        np.save(self._folder / "categories.npy", np.array([numbers[name] for name in categories], np.int16))
        np.save(self._folder / "years.npy", np.array(years, np.int16))
        (self._folder / "categories.json").write_text(json.dumps(numbers))
        return {"words": words.figures(self._count)}

    def prepare(self, way: str) -> None:
        """Map the files."""
        import bm25s

        self._way = way
        self._index = bm25s.BM25.load(self._folder, mmap=True)
        self._index.backend = "numba"
        self._stem = self._stemmer()
        self._categories = np.load(self._folder / "categories.npy")
        self._years = np.load(self._folder / "years.npy")
        self._numbers = json.loads((self._folder / "categories.json").read_text())

    def ask(self, question: Question) -> int:
        """The keys of a page."""
        import bm25s

        mask = None
        if question.category:
            mask = (self._categories == self._numbers[question.category]).astype(np.float32)
        if question.year:
            mask = (self._years == question.year).astype(np.float32)
        tokens = bm25s.tokenize(
            [question.plain], stopwords="en", stemmer=self._stem, return_ids=False, show_progress=False
        )
        if not tokens[0]:
            return 0
        size = min(_PAGE, self._count)
        found = self._index.retrieve(tokens, k=size, weight_mask=mask, show_progress=False, n_threads=0)
        return int((found.scores[0] > 0).sum())

    def _stemmer(self) -> Any:
        import Stemmer

        return Stemmer.Stemmer("english")


class TfIdf(Peer):
    """The features of arxiv-sanity-lite (https://github.com/karpathy/arxiv-sanity-lite), asked by a product of vectors.

    Its own search page counts substrings in every paper; that is measured as "scan".
    """

    NAME = "arxiv-sanity-lite"
    SETTINGS = (
        "scikit-learn's TfidfVectorizer over title, abstract and authors: 10,000 words and pairs of words, sublinear, "
        "min_df 5, max_df 0.5, English stop words; cosines with all papers by one sparse product"
    )
    WAYS = ("words", "related", "scan")
    CANNOT: ClassVar = {
        "both": "it has no vectors of meaning",
        "meaning": "it has no vectors of meaning",
        "titles": "it has no search for unfinished words",
        "phrase": "it has no phrases; two words in a row that are frequent are one feature",
        "category, newest": "it has no filter by category",
        "changes": "it has no way to add a paper: the whole is computed again",
    }

    def build(self) -> dict[str, Any]:
        """Fitted, then computed, as its script does."""
        import joblib
        from scipy import sparse
        from sklearn.feature_extraction.text import TfidfVectorizer

        vectorizer = TfidfVectorizer(
            strip_accents="unicode",
            stop_words="english",
            token_pattern=r"(?u)\b[a-zA-Z_][a-zA-Z0-9_]+\b",  # noqa: S106  # no password
            ngram_range=(1, 2),
            max_features=10_000,
            sublinear_tf=True,
            max_df=0.5,
            min_df=5,
        )
        with Stopwatch(self._data) as words:
            vectorizer.fit(self._texts())
            matrix = vectorizer.transform(self._texts()).astype(np.float32)
            sparse.save_npz(self._folder / "features.npz", matrix, compressed=False)
            joblib.dump(vectorizer, self._folder / "vectorizer.joblib")
        years = [int(paper["day"][:4]) for batch in self._data.batches(self._count, _BATCH) for paper in batch]
        np.save(self._folder / "years.npy", np.array(years, np.int16))
        categories = [_category(paper) for batch in self._data.batches(self._count, _BATCH) for paper in batch]
        (self._folder / "categories.json").write_text(json.dumps(categories))
        return {"words": words.figures(self._count)}

    def prepare(self, way: str) -> None:
        """Load everything, as it does for each page."""
        import joblib
        from scipy import sparse

        if not self._way:
            self._matrix = sparse.load_npz(self._folder / "features.npz").tocsr()
            self._vectorizer = joblib.load(self._folder / "vectorizer.joblib")
            self._years = np.load(self._folder / "years.npy")
            self._categories = np.array(json.loads((self._folder / "categories.json").read_text()))
        self._way = way
        if way == "scan":
            batches = self._data.batches(self._count, _BATCH)
            self._scanned = [
                (" ".join(paper["authors"]), paper["title"], paper["abstract"]) for batch in batches for paper in batch
            ]

    def ask(self, question: Question) -> int:
        """The rows of a page."""
        if self._way == "scan":
            return self._counted(question)
        wanted = self._matrix[question.pk - 1] if question.pk else self._vectorizer.transform([question.plain])
        cosines = (self._matrix @ wanted.T.astype(np.float32).toarray())[:, 0]
        if question.year:
            cosines[self._years != question.year] = 0
        if question.category:
            cosines[self._categories != question.category] = 0
        size = min(_PAGE, len(cosines))
        best = np.argpartition(-cosines, size - 1)[:size]
        return int((cosines[best[np.argsort(-cosines[best])]] > 0).sum())

    def _counted(self, question: Question) -> int:
        """Authors count 5, the title 10, the abstract 1, for each time that a word stands in them."""
        words = question.plain.lower().split()
        scores = []
        for row, (authors, title, abstract) in enumerate(self._scanned):
            score = 0
            for weight, text in ((5, authors.lower()), (10, title.lower()), (1, abstract.lower())):
                score += weight * sum(text.count(word) for word in words)
            if score:
                scores.append((score, row))
        scores.sort(reverse=True)
        return len(scores[:_PAGE])

    def _texts(self) -> Iterator[str]:
        for batch in self._data.batches(self._count, _BATCH):
            for paper in batch:
                yield " ".join([paper["title"], paper["abstract"], ", ".join(paper["authors"])])


PEERS = {peer.NAME: peer for peer in (Fts5, LanceDb, MilvusLite, Bm25s, TfIdf)}
