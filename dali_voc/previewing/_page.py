def make_page(*a, **k):
    return ""
