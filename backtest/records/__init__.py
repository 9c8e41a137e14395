"""Records: what runs, comparisons and standings come to, before a page draws them."""
