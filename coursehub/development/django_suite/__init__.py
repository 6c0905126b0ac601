"""Django's own tests on the engine: `make django-suite [LABELS="basic lookup"] [TRANSACTIONS=on] [MINUTES=9]`.

Their source is fetched at run time (`source`), each label runs in a process of its own (`labels`), which
records what became of every test (`recording`); `report` compares that with the failures that are expected.
"""
