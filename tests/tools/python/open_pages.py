"""Opens /docs and /redoc of a running service in Chromium, as a person would, and tries one operation.

    open_pages.py BASE_URL KEY

Fails if a page asks any other server for anything, has an error in its console, or does not show what it should.
"""

import json
import shutil
import sys

from playwright.sync_api import sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
# Milliseconds: a page is there within one second on an idle machine.
PATIENCE = 60_000


def main(base_url: str, key: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for name, visit in [("docs", try_an_operation), ("redoc", search)]:
            page = browser.new_page()
            page.set_default_timeout(PATIENCE)
            complaints: list[str] = []
            page.on("request", lambda request: complaints.extend(foreign(request.url, base_url)))
            page.on("console", lambda line: complaints.extend([line.text] if line.type == "error" else []))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.goto(f"{base_url}/{name}")
            visit(page, key)
            page.close()
            if complaints:
                sys.exit(f"/{name}: " + "\n".join(complaints))
            print(f"/{name}: as it should be")
        browser.close()


def foreign(url: str, base_url: str) -> list[str]:
    """The URL if it leads to another server."""
    return [] if url.startswith((base_url, "data:", "blob:")) else [url]


def try_an_operation(page, key: str) -> None:
    """Swagger UI: enters the key and sends the example of POST /v1/analyze."""
    page.get_by_role("button", name="Authorize").first.click()
    scheme = page.locator(".auth-container").filter(has_text="A key of a client")
    scheme.locator("input").fill(key)
    scheme.get_by_role("button", name="Apply credentials").click()
    page.locator(".close-modal").click()
    operation = page.locator("#operations-Analyze-analyze")
    operation.locator(".opblock-summary").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    answer = operation.locator(".live-responses-table")
    answer.locator(".response-col_status", has_text="200").first.wait_for()
    body = json.loads(answer.locator(".response-col_description pre").first.inner_text())
    if body["data"].get("wants_refund") is not True:
        sys.exit(f"/docs: an unexpected answer: {body}")


def search(page, _key: str) -> None:
    """ReDoc: finds an operation with the search, which runs in a worker."""
    page.get_by_role("heading", name="Answers one prompt").first.wait_for()
    page.get_by_role("textbox", name="Search").or_(page.locator("input[placeholder^='Search']")).first.fill("usage")
    page.locator("[data-role='search:results'] li", has_text="Sums up what was asked").first.wait_for()


if __name__ == "__main__":
    main(*sys.argv[1:])
