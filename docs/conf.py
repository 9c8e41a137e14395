"""The documentation as a site, ``make docs``: pages of this folder and the texts that stand above it."""

import re
import shutil
from importlib.metadata import version as installed
from pathlib import Path, PurePosixPath
from posixpath import normpath

REPOSITORY = Path(__file__).resolve().parents[1]

project = "size-rotation"
release = installed(project)
html_title = project
html_theme = "furo"
html_show_copyright = False
html_copy_source = False
html_show_sourcelink = False
html_show_search_summary = False  # it fetches each page, which one opened from a disk may not
templates_path = ["templates"]
html_static_path = ["static"]
html_css_files = ["site.css"]
exclude_patterns = ["static", "templates"]

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_heading_anchors = 3
highlight_language = "text"  # an indented block is what a terminal shows
default_role = "code"
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 600  # a first sweep compiles, which takes a busy machine minutes
nb_ipywidgets_js = {}  # else read from another host
add_module_names = False
autodoc_member_order = "bysource"
autodoc_class_signature = "separated"  # nobody makes a record by hand, so its constructor is left out ...
autodoc_default_options = {"exclude-members": "__init__, __new__"}  # ... here
python_maximum_signature_line_length = 88

OUTSIDE = {
    "README.md": "index",
    "CHANGELOG.md": "changelog",
    "CONTRIBUTING.md": "contributing",
    "benchmarks/README.md": "benchmarks",
}
"""Texts that stand outside this folder, and the pages that include them."""

PAGES = {"reports/gallery": "gallery/index.html"}
"""Folders of pages that are copied as they are, and where each begins."""


def include_read(_app, path, _page, content):
    """Rewrite the links of an included text, in place, for the page that includes it."""
    folder = PurePosixPath(path).parent  # seen from here: ".." or "../benchmarks"

    def moved(link):
        text, target = link.groups()
        place = normpath(folder / target).removeprefix("../")
        if place in PAGES:
            return f'<a href="{PAGES[place]}">{text}</a>'
        if place in OUTSIDE:
            return f"[{text}]({OUTSIDE[place]}.md)"
        return f"[{text}]({place.removeprefix('docs/') if place.startswith('docs/') else '../' + place})"

    content[0] = re.sub(r"\[([^\]]*)\]\(([^):#]+)\)", moved, content[0])


def copy_pages(app, failed):
    """Copy the pages that exist already beside those that were built."""
    for folder, page in {} if failed else PAGES.items():
        shutil.copytree(REPOSITORY / folder, (app.outdir / page).parent, dirs_exist_ok=True)


def setup(app):
    """Tell Sphinx of the above."""
    app.connect("include-read", include_read)
    app.connect("build-finished", copy_pages)
