"""Issue (报出): tables that are frozen, versioned, corrected by new versions, and proved to be what was known then."""

from etl.issue.draft import Draft, IssueError, draft_table
from etl.issue.due import Drafted, draft_due
from etl.issue.issue import Issued, approve_draft, issue_table, refuse_draft
from etl.issue.verify import Verdict, verify_issue

__all__ = [
    "Draft",
    "Drafted",
    "IssueError",
    "Issued",
    "Verdict",
    "approve_draft",
    "draft_due",
    "draft_table",
    "issue_table",
    "refuse_draft",
    "verify_issue",
]
