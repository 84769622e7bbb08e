"""Delivery (投递): issued tables go to folders, SFTP servers, object stores and mail boxes, each with a receipt."""

from etl.delivery.deliver import Delivered, deliver_tables

__all__ = ["Delivered", "deliver_tables"]
