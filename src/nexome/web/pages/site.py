"""The routes of the pages: one a page and language, errors as pages, who is signed in by a cookie.

    /                                       the language the browser asks for
    /{language}/                            home
    /{language}/search?q=…                  search
    /{language}/studies                     list; …/{study}; …/{study}/figures/{manhattan|qq}.{svg|json|tsv}
    /{language}/traits?category=…           traits by category
    /{language}/terms/{curie}               a term: definition, names, hierarchy, what is about it; …/graph
    /{language}/paths?start=…&end=…         how two things hang together
    /{language}/read                        a text or a list, posted: its concepts
    /{language}/genes/{symbol}              best associations, transcripts; …/figure.{svg|tsv}
    /{language}/variants/{variant}          PheWAS; …/phewas.{svg|json|tsv}, …/forest.{svg|tsv}
    /{language}/browse                      tracks; …/chrom.sizes, …/cytoBand.txt
    /{language}/cohorts …                   cohorts, variables, reference values (pages/cohort_pages.py)
    /{language}/cockpit, /papers …          the centre's own pages (pages/centre.py)
    /{language}/studies/{study}/credible-sets; …/compare?a=…&b=…, …/coloc?a=…&b=…&region=…, figures; …/help
    /{language}/docs                        the documentation; …/{page}, …/images/{name}
    /{language}/sign-in                     token → cookie; ?token=… does the same (what `serve` prints)
    /static/…                               built scripts and styles, kept for a year: their names change

Endpoints are plain functions: Starlette runs them in its threads, never on the event loop.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from nexome.access.centre import Centre
from nexome.model.errors import NexomeError, NotFoundError, RefusedError
from nexome.web.counting import tell
from nexome.web.http import INLINE_STYLES_POLICY, SECURITY_HEADERS, TOKEN_COOKIE, cached, packed, read_token
from nexome.web.pages.browse import build_band_table, build_browse, build_chrom_sizes
from nexome.web.pages.centre import CENTRE_PAGES
from nexome.web.pages.cohort_pages import COHORT_PAGES
from nexome.web.pages.coloc import build_coloc, build_coloc_figure
from nexome.web.pages.compare import build_compare, build_compare_figure
from nexome.web.pages.credible import build_credible, build_credible_figure
from nexome.web.pages.docs import build_doc, build_doc_picture, build_docs
from nexome.web.pages.explore import build_around, build_explore, build_explore_figure
from nexome.web.pages.forms import first, read_form
from nexome.web.pages.gene import build_gene, build_gene_figure
from nexome.web.pages.help import build_help
from nexome.web.pages.home import build_home
from nexome.web.pages.language import Language, choose_language, languages
from nexome.web.pages.network import build_network
from nexome.web.pages.page import Ask, Download, Page, Redirect, log_server_error
from nexome.web.pages.paths import build_paths
from nexome.web.pages.problem import TOKEN_REASONS, problem_of
from nexome.web.pages.reading import BYTES_MAX, build_read
from nexome.web.pages.render import STATIC_PATH, render, render_bare, static_folder
from nexome.web.pages.search import build_search
from nexome.web.pages.sign_in import build_sign_in
from nexome.web.pages.studies import build_studies
from nexome.web.pages.study import build_figure, build_study
from nexome.web.pages.term import build_term
from nexome.web.pages.traits import build_traits
from nexome.web.pages.variant import build_forest_figure, build_variant, build_variant_figure

Build = Callable[..., Page | Redirect | Download]

COOKIE_SECONDS: Final = 30 * 86_400
FORM_BYTES_MAX: Final = 4_096
_log = logging.getLogger(__name__)


def mount_pages(app: Starlette, centre: Centre) -> None:
    """Add all pages to an app, last: what no page answers becomes a page that says so."""
    folder = static_folder()
    if folder.is_dir():
        app.router.routes.append(Mount(STATIC_PATH, GZipMiddleware(_Static(directory=folder)), name="static"))
    for language in languages().values():
        app.router.routes.extend(_routes(centre, language))
    app.router.routes.append(Route("/", _choose))
    app.router.routes.append(Route("/{path:path}", partial(_unknown, centre)))


def _routes(centre: Centre, language: Language) -> list[Route]:
    pages: list[tuple[str, Build]] = [
        ("/", build_home),
        ("/search", build_search),
        ("/explore", build_explore),
        ("/explore/around.json", build_around),
        ("/explore/figures/{figure}.{ending}", build_explore_figure),
        ("/studies", build_studies),
        ("/studies/{study}/figures/{figure}.{ending}", build_figure),
        ("/studies/{study}/credible-sets", build_credible),
        ("/studies/{study}/credible-set.{ending}", build_credible_figure),
        ("/studies/{study}", build_study),
        ("/compare", build_compare),
        ("/compare/figures/{figure}.{ending}", build_compare_figure),
        ("/coloc", build_coloc),
        ("/coloc/figures/{figure}.{ending}", build_coloc_figure),
        ("/help", build_help),
        ("/docs", build_docs),
        ("/docs/images/{name}", build_doc_picture),
        ("/docs/{page:path}", build_doc),
        ("/terms/{term:path}/graph", build_network),
        ("/terms/{term:path}", build_term),
        ("/paths", build_paths),
        ("/read", build_read),
        ("/browse", build_browse),
        ("/browse/chrom.sizes", build_chrom_sizes),
        ("/browse/cytoBand.txt", build_band_table),
        *COHORT_PAGES,
        *CENTRE_PAGES,
        ("/traits", build_traits),
        ("/genes/{symbol}/figure.{ending}", build_gene_figure),
        ("/genes/{symbol}", build_gene),
        ("/variants/{variant:path}/forest.{ending}", build_forest_figure),
        ("/variants/{variant:path}/phewas.{ending}", build_variant_figure),
        ("/variants/{variant:path}", build_variant),
    ]
    prefix = f"/{language.code}"
    routes = [Route(prefix + path, partial(_answer, centre, language, build)) for path, build in pages]
    posted = [
        Route(f"{prefix}/read", partial(_read, centre, language), methods=["POST"]),
        Route(f"{prefix}/sign-in", partial(_sign_in_page, centre, language), methods=["GET"]),
        Route(f"{prefix}/sign-in", partial(_sign_in, centre, language), methods=["POST"]),
        Route(f"{prefix}/sign-out", partial(_sign_out, language), methods=["POST"]),
    ]
    nowhere = Route(prefix + "/{path:path}", partial(_answer, centre, language, _no_page))
    return [*posted, *routes, nowhere]


def _no_page(ask: Ask, *, path: str) -> Page:
    raise NotFoundError(f"no page {(path or ask.path)[:200]!r}")


def _answer(centre: Centre, language: Language, build: Build, request: Request) -> Response:
    """The response to a request for a page: the page, a redirect, a file, or the page of the error."""
    try:
        view = centre.view_for(read_token(request, cookie=True), purpose="page")
    except NexomeError as error:
        return _bare_problem(language, error)
    path = request.url.path.removeprefix(request.scope.get("root_path", "")).removeprefix(f"/{language.code}")
    ask = Ask(language, view, centre.settings, path or "/", dict(request.query_params))
    try:
        made = build(ask, **request.path_params)
        policy: dict[str, str] = {}
        if isinstance(made, Page):
            own = view.principal.kind == "owner"
            tell(request, "page", name=made.template.removesuffix(".html"), owner=own)
        if isinstance(made, Redirect):
            return _guarded(RedirectResponse(made.href, status_code=303), language)
        response = _file(made) if isinstance(made, Download) else HTMLResponse(render(made, ask))
        if isinstance(made, Page) and made.inline_styles:
            policy = {"Content-Security-Policy": INLINE_STYLES_POLICY}
        return _guarded(packed(request, cached(request, response, scope=view.scope)), language, policy)
    except NexomeError as error:
        log_server_error(error)
        problem = problem_of(error, language)
    except Exception:  # noqa: BLE001 - a mistake of ours: told to the log, not to the reader
        _log.exception("page %s failed", request.url.path)
        problem = problem_of(NexomeError(""), language)
    response = HTMLResponse(render(problem, ask), status_code=problem.code)
    response.headers["Cache-Control"] = "no-store"
    return _guarded(response, language)


def _file(made: Download) -> Response:
    headers = {} if made.media_type == "application/json" else {"Content-Disposition": _attachment(made.name)}
    return Response(made.body, media_type=made.media_type, headers=headers)


def _attachment(name: str) -> str:
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in name)
    return f'attachment; filename="{plain}"'


def _bare_problem(language: Language, error: NexomeError) -> Response:
    """The page of an error for which there is no View; a token that opens nothing is let go of."""
    problem = problem_of(error, language)
    html = render_bare(problem, language, path="/")
    response = HTMLResponse(html, status_code=problem.code, headers={"Cache-Control": "no-store"})
    if isinstance(error, RefusedError) and error.reason in TOKEN_REASONS:
        response.delete_cookie(TOKEN_COOKIE)
    return _guarded(response, language)


def _guarded(response: Response, language: Language, policy: Mapping[str, str] | None = None) -> Response:
    response.headers.update({**SECURITY_HEADERS, **(policy or {})})
    response.headers["Content-Language"] = language.tag
    return response


# ---------------------------------------------------------------- language and signing in


def _choose(request: Request) -> Response:
    language = choose_language(request.headers.get("accept-language", ""))
    return RedirectResponse(f"/{language.code}/", 303, headers={"Vary": "Accept-Language"})


def _unknown(centre: Centre, request: Request) -> Response:
    language = choose_language(request.headers.get("accept-language", ""))
    return _answer(centre, language, _no_page, request)


def _sign_in_page(centre: Centre, language: Language, request: Request) -> Response:
    if token := request.query_params.get("token"):
        return _with_token(centre, language, request, token)
    return _answer(centre, language, build_sign_in, request)


async def _sign_in(centre: Centre, language: Language, request: Request) -> Response:
    try:
        form = await read_form(request, most=FORM_BYTES_MAX)
    except NexomeError as error:
        return _bare_problem(language, error)
    return await run_in_threadpool(_with_token, centre, language, request, first(form, "token").strip())


async def _read(centre: Centre, language: Language, request: Request) -> Response:
    """What a posted text says; it changes nothing, so the page's own cookie may say who asks."""
    try:
        form = await read_form(request, most=BYTES_MAX)
    except NexomeError as error:
        return _bare_problem(language, error)
    return await run_in_threadpool(_answer, centre, language, partial(build_read, form=form), request)


def _with_token(centre: Centre, language: Language, request: Request, token: str) -> Response:
    """To the home page with the token in a cookie no script can read; a wrong token is said to be wrong."""
    try:
        centre.view_for(token)
    except NexomeError as error:
        return _bare_problem(language, error)
    response = RedirectResponse(f"/{language.code}/", 303, headers={"Cache-Control": "no-store"})
    secure = request.url.scheme == "https"
    response.set_cookie(
        TOKEN_COOKIE, token, max_age=COOKIE_SECONDS, httponly=True, samesite="lax", secure=secure
    )
    return _guarded(response, language)


def _sign_out(language: Language, request: Request) -> Response:  # noqa: ARG001 - an endpoint's signature
    response = RedirectResponse(f"/{language.code}/", 303, headers={"Cache-Control": "no-store"})
    response.delete_cookie(TOKEN_COOKIE)
    return _guarded(response, language)


class _Static(StaticFiles):
    """Built files: their names carry a fingerprint, so a browser may keep them."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        response.headers.update(SECURITY_HEADERS)
        return response
