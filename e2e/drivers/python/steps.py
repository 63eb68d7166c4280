"""The steps of a journey, one line each, and what they compare with."""

import os
import sys

HOST = os.environ["PGHOST"]
PORT = int(os.environ["PGPORT"])
USER = os.environ["PGUSER"]
PASSWORD = os.environ["PGPASSWORD"]
DATABASE = os.environ["PGDATABASE"]
CERTIFICATE = os.environ["JOURNEY_CERTIFICATE"]
TEXT = "Zoë 漢字 🙂 \\ ' \""
UUID = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
LOW, HIGH = -(2**63), 2**63 - 1

failed = 0


def step(name):
    """Runs the decorated function now. A failure does not end the journey: the other steps are still to be known."""

    def run(work):
        try:
            work()
            print("ok  ", name, flush=True)
        except Exception as error:
            failure(name, error)
        return work

    return run


def failure(name, error):
    global failed
    failed += 1
    where = error.__traceback__
    while where.tb_next is not None and where.tb_next.tb_frame.f_code.co_filename.find("journey_") >= 0:
        where = where.tb_next
    text = " ".join(f"{type(error).__name__}: {error}".split())
    print(f"FAIL {name}: line {where.tb_lineno}: {text[:600]}", flush=True)


def equal(found, wanted):
    if found != wanted:
        raise AssertionError(f"{found!r} instead of {wanted!r}")


def code_of(error):
    """The SQLSTATE, wherever the library keeps it."""
    for name in ("sqlstate", "pgcode"):
        if getattr(error, name, None) is not None:
            return getattr(error, name)
    for name in ("orig", "__cause__"):
        if getattr(error, name, None) is not None:
            return code_of(getattr(error, name))
    if error.args and isinstance(error.args[0], str) and len(error.args[0]) == 5:
        return error.args[0]
    return None


def fails_with(code, work):
    try:
        work()
    except Exception as error:
        if code_of(error) != code:
            raise AssertionError(f"SQLSTATE {code_of(error)} instead of {code}: {error}") from error
        return
    raise AssertionError(f"no error, {code} was expected")


def finish():
    sys.exit(1 if failed else 0)
