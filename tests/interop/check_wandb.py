def check(run):
    pass
