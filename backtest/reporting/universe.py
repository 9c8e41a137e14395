"""tmp"""
def universe_page(universe, name): return ""
