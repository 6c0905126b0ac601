from tests.live import web, web_process  # noqa: F401
