"""The demo's page says what it shows, and takes nothing for granted about captions."""

from toile.cli.demo_page import Part, Row, write_html


def test_the_page_escapes_what_it_is_given() -> None:
    row = Row(title="a <b> shirt", note="doll 1", pictures=[("a.png", "photo & mask")])
    part = Part(heading="Restored", text="x < y", command="toile restore 'a'", rows=[row])
    page = write_html([part], size=(8, 6), settings="Model <tiny>")
    for escaped in ("a &lt;b&gt; shirt", "photo &amp; mask", "x &lt; y", "Model &lt;tiny&gt;"):
        assert escaped in page
    assert '<img src="a.png" width="6" height="8"' in page
