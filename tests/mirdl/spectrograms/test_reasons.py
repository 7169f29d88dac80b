import pytest

from mirdl.spectrograms.reasons import advised, in_words, is_out_of_memory


@pytest.mark.parametrize("said, words", [
    ('AudioLoader: Could not open file "a: b.wav", error = Invalid data found when processing '
     "input", "it is not a sound file, or it is damaged; replace it"),
    ("AudioLoader: Unsupported codec!", "its codec is not known; convert it to wav or flac"),
    ("AudioLoader: ... error = Operation not permitted",
     "its codec is not known; convert it to wav or flac"),
    ("AudioLoader: Something new.", "Something new; convert it to wav or flac"),
    ("", "unknown error; convert it to wav or flac"),
])
def test_each_message_says_what_to_do(said, words):
    assert advised(RuntimeError(said)) == words


def test_want_of_memory_is_known():
    assert is_out_of_memory(RuntimeError("MatrixReal::toPythonCopy: dang null object"))
    assert is_out_of_memory(RuntimeError("std::bad_alloc"))
    assert not is_out_of_memory(RuntimeError("Unsupported codec!"))


def test_sizes_in_words():
    assert [in_words(size) for size in (2**20, 2**31, 12 * 2**30)] == ["1 MB", "2.0 GB", "12 GB"]
