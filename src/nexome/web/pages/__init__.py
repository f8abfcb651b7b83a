"""Pages for people: each a described dataclass, made into HTML by a template, complete without scripts.

One module a page (home, search, studies, study, variant, problem, sign_in); `page` is what they share,
`site` their routes, `render` their templates, `figures`, `plots`, `svg` their plots, `language` their texts.
"""

from __future__ import annotations

from nexome.web.pages.site import mount_pages

__all__ = ["mount_pages"]
