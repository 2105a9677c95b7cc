"""What a gated program may name: builtins, attributes, modules and their members.

Tables for `gate.py`, which holds the argument for them. A name is listed only if using it in any
way that the gate lets through neither changes nor hands out anything that another program in the
same process can see: constants, functions of their arguments alone, and types whose instances are
new. The tests walk everything that the tables can reach.

Modules of `MEMBERS` that are not in `LATE` must have been imported before the first program runs.
"""

from __future__ import annotations

import builtins
import typing
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Not here, among others: what runs text, reaches into objects, opens or waits; `id`, because
# addresses differ with what ran before; `type`, which the gate looks at; and what the harness ends
# a turn by, or a group that could carry it out: SystemExit, BaseException, ExceptionGroup.
BUILTINS: Final = _words(
    """abs all any ascii bin bool bytearray bytes callable chr complex dict divmod enumerate filter
    float format frozenset hash hex int isinstance issubclass iter len list map max min next oct ord
    pow print range repr reversed round set slice sorted str sum tuple zip
    Ellipsis NotImplemented __name__
    ArithmeticError AssertionError AttributeError BlockingIOError BrokenPipeError BufferError
    BytesWarning ChildProcessError ConnectionAbortedError ConnectionError ConnectionRefusedError
    ConnectionResetError DeprecationWarning EOFError EncodingWarning EnvironmentError Exception
    FileExistsError FileNotFoundError FloatingPointError FutureWarning IOError ImportError
    ImportWarning IndentationError IndexError InterruptedError IsADirectoryError KeyError
    LookupError MemoryError ModuleNotFoundError NameError NotADirectoryError NotImplementedError
    OSError OverflowError PendingDeprecationWarning PermissionError ProcessLookupError
    RecursionError ReferenceError ResourceWarning RuntimeError RuntimeWarning StopAsyncIteration
    StopIteration SyntaxError SyntaxWarning SystemError TabError TimeoutError TypeError
    UnboundLocalError UnicodeDecodeError UnicodeEncodeError UnicodeError UnicodeTranslateError
    UnicodeWarning UserWarning ValueError Warning ZeroDivisionError"""
)

# All that this interpreter has. A name outside it that no program binds is a NameError.
EXISTING: Final = frozenset(vars(builtins))

# Methods and fields of plain values, and of what the members below return. `format` is looked at
# by the gate; `register`, `mro`, `maps`, `scanner`, `now`, `throw` and all frame, code and
# traceback fields are left out on purpose.
ATTRIBUTES: Final = _words(
    # str, bytes, bytearray
    """capitalize casefold center count decode encode endswith expandtabs find fromhex hex index
    isalnum isalpha isascii isdecimal isdigit isidentifier islower isnumeric isprintable isspace
    istitle isupper join ljust lower lstrip maketrans partition removeprefix removesuffix replace
    rfind rindex rjust rpartition rsplit rstrip split splitlines startswith strip swapcase title
    translate upper zfill """
    # list, dict, set, range, slice
    """append clear copy extend insert pop remove reverse sort fromkeys get items keys popitem
    setdefault update values add difference difference_update discard intersection
    intersection_update isdisjoint issubset issuperset symmetric_difference
    symmetric_difference_update union start stop step indices """
    # deque, Counter, OrderedDict, defaultdict
    """appendleft extendleft popleft rotate maxlen elements most_common subtract total move_to_end
    default_factory """
    # int, float, complex, Fraction, Decimal
    """as_integer_ratio bit_count bit_length conjugate denominator from_bytes imag is_integer
    numerator real to_bytes from_decimal from_float limit_denominator as_tuple sign digits exponent
    compare exp is_finite is_infinite is_nan ln log10 normalize quantize sqrt to_integral_value """
    # date, time, datetime, timedelta, timezone
    """astimezone combine ctime date day days fold fromisocalendar fromisoformat fromordinal hour
    isocalendar isoformat isoweekday max microsecond microseconds min minute month resolution second
    seconds strftime strptime time timetz toordinal total_seconds tzinfo utc utcoffset weekday
    year """
    # match, pattern, flag
    """end endpos expand findall finditer flags fullmatch group groupdict groups
    lastgroup lastindex match name pattern pos search span string sub subn value """
    # hash (programs use hashlib and forget its import: a NameError), lru_cache, partial, chain,
    # generator, exception, sys.float_info, JSON error
    """block_size digest digest_size hexdigest args cache_clear cache_info currsize func hits
    keywords maxsize misses from_iterable close send dig epsilon msg"""
)

# All public members are functions of their arguments alone, constants, or iterator types.
WHOLE: Final = _words("math cmath itertools bisect heapq")

# May be imported, as programs often do without use, but not looked into: they are the machine,
# the clock, and one shared stream of random numbers.
_CLOSED = _words("os random time")

MEMBERS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        **dict.fromkeys(WHOLE | _CLOSED, frozenset[str]()),
        "__future__": _words(
            """absolute_import annotations division generator_stop generators nested_scopes
            print_function unicode_literals with_statement"""
        ),
        # Not base85 and ascii85: a RecursionError at the right depth leaves their shared tables
        # half built.
        "base64": _words(
            """b16decode b16encode b32decode b32encode b64decode b64encode standard_b64decode
            standard_b64encode urlsafe_b64decode urlsafe_b64encode"""
        ),
        # Not namedtuple: with a function in a field it is an object with methods, and library
        # code that duck-types would hand it its own internals.
        "collections": _words("Counter OrderedDict defaultdict deque"),
        "collections.abc": _words(
            """Callable Collection Container Generator Hashable ItemsView Iterable Iterator KeysView
            Mapping MappingView MutableMapping MutableSequence MutableSet Reversible Sequence Set
            Sized ValuesView"""
        ),
        "copy": _words("copy deepcopy"),
        "datetime": _words("MAXYEAR MINYEAR UTC date datetime time timedelta timezone tzinfo"),
        # No contexts: they hold the precision of everybody's arithmetic.
        "decimal": _words(
            """Decimal DivisionByZero InvalidOperation ROUND_CEILING ROUND_DOWN ROUND_FLOOR
            ROUND_HALF_DOWN ROUND_HALF_EVEN ROUND_HALF_UP ROUND_UP ROUND_05UP"""
        ),
        "fractions": _words("Fraction"),
        # Not wraps, update_wrapper, total_ordering, singledispatch: they set attributes.
        "functools": _words("cache cmp_to_key lru_cache partial reduce"),
        "json": _words("JSONDecodeError dumps loads"),
        "numbers": _words("Complex Integral Number Rational Real"),
        # Not attrgetter, methodcaller and call, which reach past the gate.
        "operator": _words(
            """abs add and_ concat contains countOf eq floordiv ge getitem gt iadd iand iconcat
            ifloordiv ilshift imod imul index indexOf inv invert ior ipow irshift is_ is_not isub
            itemgetter itruediv ixor le lshift lt mod mul ne neg not_ or_ pos pow rshift sub truediv
            truth xor"""
        ),
        # The functions have a rule of their own in the gate, see RE_FLAGS_AT.
        "re": _words(
            """A ASCII DOTALL I IGNORECASE M MULTILINE S U UNICODE VERBOSE X compile error escape
            findall finditer fullmatch match search split sub subn"""
        ),
        "statistics": _words(
            """StatisticsError correlation covariance fmean geometric_mean harmonic_mean
            linear_regression mean median median_grouped median_high median_low mode multimode
            pstdev pvariance quantiles stdev variance"""
        ),
        "string": _words(
            """ascii_letters ascii_lowercase ascii_uppercase capwords digits hexdigits octdigits
            printable punctuation whitespace"""
        ),
        "sys": _words("byteorder float_info maxsize maxunicode version_info"),
        "textwrap": _words("dedent fill indent shorten wrap"),
        # The rest of TYPING is for annotations.
        "typing": _words("TYPE_CHECKING TypeVar cast"),
        "unicodedata": _words(
            """bidirectional category combining decimal decomposition digit east_asian_width
            is_normalized lookup mirrored name normalize numeric unidata_version"""
        ),
    }
)

# These load whole or not at all, so the first import may be a program's own. Others put up with
# missing parts: one that is imported while a program holds all memory would stay a cripple. That is
# why hashlib, which is dear to load beforehand, is not listed.
LATE: Final = _words("__future__ base64 statistics string textwrap unicodedata")

# Nothing that these modules keep back has a name in ATTRIBUTES, so even the module itself may be
# passed about. Programs use such names for arguments, which the gate does not tell apart.
INERT: Final = _words(
    "bisect cmath collections copy datetime decimal heapq itertools math numbers operator string"
)

# Where the flags stand among the positional arguments. A pattern is kept in a cache under
# (text, flags), and 2.0 finds what 2 left there: flags have to be written as integers.
RE_FLAGS_AT: Final[Mapping[str, int]] = MappingProxyType(
    {
        "compile": 1,
        "findall": 2,
        "finditer": 2,
        "fullmatch": 2,
        "match": 2,
        "search": 2,
        "split": 3,
        "sub": 4,
        "subn": 4,
    }
)

# What typing has in this interpreter: it may stand in annotations.
TYPING: Final = frozenset(typing.__all__)

# What of it may stand anywhere.
TYPING_VALUES: Final = MEMBERS["typing"]
