"""The report page for those who see little or nothing, as a real browser paints it and tells screen readers of it."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.support.browser import Page

# Each piece of text with its contrast to the nearest background that is not clear, and the contrast that it must have:
# https://www.w3.org/TR/WCAG22/#contrast-minimum
CONTRASTS = r"""(() => {
  const parts = colour => colour.match(/[\d.]+/g).map(Number);
  const linear = part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
  const behind = node => {
    for (let at = node; at; at = at.parentElement) {
      const found = parts(getComputedStyle(at).backgroundColor);
      if (found.length < 4 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const seen = [];
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), node = walker.currentNode.parentElement;
    if (!text || node.closest('title')) continue;
    const style = getComputedStyle(node), size = parseFloat(style.fontSize);
    const colour = parts(node.closest('svg') ? style.fill : style.color);
    const [low, high] = [light(colour), light(behind(node))].sort((a, b) => a - b);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    seen.push([text.slice(0, 40), Math.round((high + 0.05) / (low + 0.05) * 100) / 100, large ? 3 : 4.5]);
  }
  return seen;
})()"""


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_can_be_read_as_it_is_painted(opened: Page, dark: bool) -> None:
    opened.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    opened.dark(dark)
    seen = opened.evaluate(CONTRASTS)
    assert len(seen) > 150
    assert [one for one in seen if one[1] < one[2]] == []


def test_text_that_cannot_be_read_would_be_noticed(opened: Page) -> None:
    opened.evaluate("document.querySelector('h2').style = 'color: gray; background: #999'")
    assert [one[0] for one in opened.evaluate(CONTRASTS) if one[1] < one[2]] == ["To know"]
    opened.evaluate("document.querySelector('h2').removeAttribute('style')")


def test_a_screen_reader_is_told_what_everything_is(opened: Page) -> None:
    nodes = [node for node in opened.call("Accessibility.getFullAXTree")["nodes"] if not node["ignored"]]
    roles = [
        (node["role"]["value"].replace("img", "image"), str(node.get("name", {}).get("value", "")).strip())
        for node in nodes
    ]
    must = {"banner", "main", "contentinfo", "heading", "link", "region", "image", "columnheader", "rowheader"}
    assert must - {role for role, _ in roles} == set()
    named = must - {"banner", "main", "contentinfo"}
    assert [role for role, name in roles if role in named and not name] == []


def test_headings_are_in_order(opened: Page) -> None:
    levels = opened.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(node => Number(node.tagName[1]))")
    assert levels[0] == 1
    assert [pair for pair in pairwise(levels) if pair[1] > pair[0] + 1] == []


def test_every_link_inside_the_page_leads_somewhere(opened: Page) -> None:
    ids = opened.evaluate("[...document.querySelectorAll('[id]')].map(node => node.id)")
    assert len(ids) == len(set(ids))
    links = opened.evaluate("[...document.querySelectorAll('a')].map(node => node.getAttribute('href'))")
    assert links
    assert {link.removeprefix("#") for link in links} <= set(ids)
