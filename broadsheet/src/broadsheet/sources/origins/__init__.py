"""The origins that Broadsheet reads out of the box, one file each."""
