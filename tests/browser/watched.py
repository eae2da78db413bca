"""Watches a page that gets hostile input: nothing but text may come of it."""

from urllib.parse import urlsplit

TAGS = "[...new Set([...document.querySelectorAll('*')].map((node) => node.localName))]"
# the elements that the page itself creates in a line
LINE = {"a", "article", "bdi", "button", "code", "div", "header", "mark", "p", "span", "time"}


class Watched:
    """A page whose requests and element names are compared with its initial ones."""

    def __init__(self, person, chat):
        self.person = person
        self.tags = set(person.page.evaluate(TAGS)) | LINE
        self.foreign = []
        self.own = {urlsplit(url).netloc for url in (person.url, chat.idp_url)}
        person.page.on("request", self._requested)

    def _requested(self, request):
        if urlsplit(request.url).netloc not in self.own:
            self.foreign.append(request.url)

    def check(self):
        assert set(self.person.page.evaluate(TAGS)) <= self.tags
        assert self.foreign == []
        assert self.person.page.evaluate("Object.keys(Object.prototype)") == []
