"""Sources: where a series' values come from. A source is one class here and a line of ``reading``."""
