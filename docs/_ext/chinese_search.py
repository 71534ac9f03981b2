"""Search in Chinese without a dictionary: Chinese text is indexed, and looked for, by pairs of characters."""

from __future__ import annotations

import re

from sphinx.application import Sphinx
from sphinx.search import languages
from sphinx.search.zh import SearchChinese

_WORDS = re.compile(r"[一-鿿]+|[a-zA-Z0-9_]+")
_SPLITTER = """
function splitQuery(query) {
  const words = query.match(/[一-鿿]+|[a-zA-Z0-9_]+/g) || [];
  return words.flatMap((word) =>
    word.length > 2 && word >= "一"
      ? Array.from({ length: word.length - 1 }, (_, k) => word.slice(k, k + 2))
      : [word]
  );
}
"""


class SearchChinesePairs(SearchChinese):
    """Sphinx's Chinese search, whose words are pairs of neighbouring characters."""

    language_name = (
        "English"  # whose stemmer the page loads; Sphinx 9 looks for a ChineseStemmer, and there is none
    )
    js_splitter_code = _SPLITTER

    def split(self, text: str) -> list[str]:
        """The words of a text."""
        words: list[str] = []
        for word in _WORDS.findall(text):
            if word >= "一":
                words += [word[k : k + 2] for k in range(max(1, len(word) - 1))]
            else:
                self.latin_terms.add(word)
                words.append(word)
        return words


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    languages["zh"] = SearchChinesePairs
    return {"parallel_read_safe": True}
