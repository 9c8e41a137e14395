"""Universe: from a table of companies to size classes, their portfolios, valuations and a market of them."""
