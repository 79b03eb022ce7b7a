"""What an error says, as the sentence that it was raised with."""


def said(error: Exception) -> str:
    """Return an error's sentence as it was made, so that it can be told in any language."""
    sentence = error.args[0] if len(error.args) == 1 else ""
    return sentence if isinstance(sentence, str) and sentence else str(error)
