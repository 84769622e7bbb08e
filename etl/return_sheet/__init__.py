"""The return sheet (退回单): a sender's own file given back, marked, with reasons and hints. `write` is the way in."""
