#!/usr/bin/env python
"""Django's command line for CourseHub."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coursehub.settings")
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except Exception as error:
        _end_in_a_sentence(error)


def _end_in_a_sentence(error: Exception) -> None:
    """For settings that cannot be read, and for Django's own commands, where it is known what is wrong."""
    from coursehub.management.trouble import sentence_of

    told = None if "--traceback" in sys.argv else sentence_of(error)
    if told is None:
        raise error
    sentence, code = told
    if "--json" in sys.argv:
        import json

        print(json.dumps({"error": sentence}))
    else:
        print(sentence, file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
