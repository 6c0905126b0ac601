"""The consent page, as plain as the real one."""

from html import escape

CARRIED = (
    *("client_id", "redirect_uri", "response_type", "scope", "access_type", "prompt", "state"),
    *("code_challenge", "code_challenge_method"),
)
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>
body {{ font: 16px/1.5 system-ui, sans-serif; background: #f1f5f9; color: #0f172a; margin: 0;
  display: grid; place-items: center; min-height: 100vh }}
main {{ background: #fff; border-radius: 12px; padding: 2rem; width: min(28rem, 90vw); box-shadow: 0 1px 8px #0002 }}
h1 {{ font-size: 1.25rem; margin: 0 0 1rem }} li {{ font-family: ui-monospace, monospace; font-size: .85rem }}
button {{ font: inherit; padding: .5rem 1.25rem; border-radius: 8px; border: 1px solid #cbd5e1; background: #fff }}
button[value=approve] {{ background: #0f766e; border-color: #0f766e; color: #fff }}
small {{ color: #64748b }}
</style></head><body><main><h1>{title}</h1>{content}<p><small>Sandbox accounts server: no real account is touched.
</small></p></main></body></html>
"""


def consent_page(asked: dict[str, str]) -> str:
    """What is asked for, and the two buttons; the request travels in hidden fields."""
    scopes = "".join(f"<li>{escape(scope)}</li>" for scope in asked["scope"].replace(",", " ").split())
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(asked[name])}">' for name in CARRIED if name in asked
    )
    content = (
        f"<p><b>{escape(asked['client_id'])}</b> would like to use your academy:</p><ul>{scopes}</ul>"
        f'<form method="post" action="/oauth/v2/auth">{hidden}'
        '<button name="decision" value="approve">Approve</button> '
        '<button name="decision" value="deny">Deny</button></form>'
    )
    return PAGE.format(title="Allow access?", content=content)


def problem_page(problem: str) -> str:
    """Why there is nothing to approve."""
    return PAGE.format(title="This request cannot be approved", content=f"<p>{escape(problem)}</p>")
