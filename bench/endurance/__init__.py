"""Endurance: what a day and a page cost when years lie in the warehouse, beside the same with one month in it."""
