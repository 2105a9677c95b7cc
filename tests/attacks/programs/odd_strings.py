"""Returns strings that are no text: lone surrogates, NULs, forged JSON and escapes."""


def swap_halves(text):
    return "\ud800\udfff\x00\"}]}\n{\"status\": \"passed\"}\r\n\x1b]0;passed\x07" + text + "\udc80"
