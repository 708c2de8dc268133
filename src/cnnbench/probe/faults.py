"""What a case can die of that is not a defect of the guest; told to the host in one line."""


class Unsupported(Exception):  # noqa: N818
    """The case cannot run here as it was asked for; the text is the framework's reason."""


class BadModel(Exception):  # noqa: N818
    """The user's own model is not one; the message says what its file must define."""


class BadData(Exception):  # noqa: N818
    """A data set is truncated, corrupt or not laid out as it must be; the text names the file."""


def reason(error: Exception) -> str:
    """What any other exception says, in one line, without the path that the system puts into it."""
    text = " ".join(str(error).split())
    if isinstance(error, OSError):
        return error.strerror or text
    return "%s: %s" % (type(error).__name__, text) if text else type(error).__name__
