"""As root, the embedded server's system user must reach its data: a private folder above it is refused, not opened."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from pathlib import Path

import pytest

from etl.warehouse import WarehouseError, embedded_server


@pytest.mark.parametrize("mode", [0o700, 0o705, 0o750, 0o711])
def test_root_is_refused_below_a_private_folder_and_nothing_is_opened(
    mode: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    private = Path(tempfile.mkdtemp(prefix="pls-test-", dir="/var/tmp"))
    try:
        private.chmod(mode)
        with pytest.raises(WarehouseError, match=f"below {private}, which other users cannot enter"):
            embedded_server(private / "home")
        assert stat.S_IMODE(private.stat().st_mode) == mode
        assert list(private.iterdir()) == []
    finally:
        shutil.rmtree(private)
