"""The pages: everything that answers a browser. Nothing below imports it."""
