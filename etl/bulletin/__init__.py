"""Bulletin (通报): a period of a province or city on a few pages, as HTML, PDF and an editable text.

`read` takes the figures from the marts, `compose` makes sentences, tables and pictures of them, `page`, `pdf` and
`docx` write them down. WeasyPrint, matplotlib and python-docx take seconds to load and are loaded when they are used.
"""

from etl.bulletin.figure import BulletinError
from etl.bulletin.read import usual_division
from etl.bulletin.write import write_bulletin

__all__ = ["BulletinError", "usual_division", "write_bulletin"]
