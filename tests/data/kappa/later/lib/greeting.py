def text():
    return "good day"
