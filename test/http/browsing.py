# SPDX-License-Identifier: Apache-2.0
"""What tests of pages share: a page that complains, its looks, its accessibility."""

import os
import re

import harness

# Chromium says of every refusal that a resource failed to load; refusals are part of what is tested.
EXPECTED_ERRORS = re.compile(r"status of (400|409|423)")
AXE = harness.REPOSITORY / "web/node_modules/axe-core/axe.min.js"
LOOKS = [("light", "light", 1280, 860), ("dark", "dark", 1280, 860), ("phone", "light", 390, 844)]


def open_page(browser, site, token):
    """Signed in, with the list of what goes wrong on it."""
    # Without motion: what fades in, or is on its way from light to dark, has any contrast while it does.
    context = browser.new_context(viewport={"width": 1280, "height": 860}, base_url=site.url, reduced_motion="reduce")
    context.request.post("/api/session", data={"token": token}, headers={"X-Gyre-Csrf": "1"})
    page = context.new_page()
    complaints = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda r: None if r.url.startswith((site.url, "data:", "blob:")) else complaints.append(r.url))
    page.on(
        "console",
        lambda m: complaints.append(m.text) if m.type == "error" and not EXPECTED_ERRORS.search(m.text) else None,
    )
    page.set_default_timeout(60_000 if harness.SANITIZED else 20_000)
    return page, complaints


def accessible(page, where):
    page.evaluate(AXE.read_text())
    found = page.evaluate(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']}).then(r => r.violations"
        ".filter(v => ['serious', 'critical', 'moderate'].includes(v.impact))"
        ".map(v => v.id + ': ' + v.nodes.slice(0, 3).map(n => n.target.join(' ')).join(', ')))"
    )
    assert not found, f"axe on {where}: {found}"


def shoot(page, folder, name, looks=LOOKS[:1]):
    """The page in each look, at rest; nothing may stick out of the window. Leaves it as it was."""
    for look, scheme, width, height in looks:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("new Promise(done => setTimeout(() => requestAnimationFrame(done), 120))")
        page.screenshot(path=folder / f"{name}-{look}.png")
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 1, f"{name} is {overflow} pixels wider than a window of {width}"
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 860})


def look(page, name, looks=LOOKS):
    if os.environ.get("GYRE_SCREENSHOTS"):
        folder = harness.REPOSITORY / "build" / "screenshots"
        folder.mkdir(parents=True, exist_ok=True)
        shoot(page, folder, name, looks)


def region(page, name):
    return page.get_by_role("region", name=name, exact=True)
