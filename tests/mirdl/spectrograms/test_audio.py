from mirdl.spectrograms.audio import is_audio


def test_audio_files_are_known_by_their_endings():
    assert is_audio("a.wav") and is_audio("A.MP3") and is_audio("x.y.flac")
    for name in (".a.wav", "cover.jpg", "wav", "notes.wav.txt"):
        assert not is_audio(name)
