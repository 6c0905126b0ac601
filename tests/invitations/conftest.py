from tests.support.stage.web import web, web_process  # noqa: F401
