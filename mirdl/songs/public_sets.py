"""What is known of public data sets: where they come from, how many songs they have, which of these are replicas."""

from typing import NamedTuple


class Known(NamedTuple):
    """A public data set.

    Attributes
    ----------
    url : str
        Of the archive, a .tar.gz.
    md5 : str
        Of the archive, in hexadecimal digits.
    folder : str
        The folder in the archive that holds a folder for each tag.
    songs : dict
        Tag -> number of songs.
    merged : dict
        Folder in the archive -> the tag that it belongs to, where they differ.
    replicas : tuple of tuple of str
        Songs that are one recording.
    """

    url: str
    md5: str
    folder: str
    songs: dict
    merged: dict
    replicas: tuple


# Archive and checksum as in mirdata; the replicas: B. Sturm, 'Faults in the Ballroom dataset' (2014)
BALLROOM = Known(
    "https://mtg.upf.edu/ismir2004/contest/tempoContest/data1.tar.gz", "2872a3e52070bc342a4510a95e2fa0b8", "BallroomData",
    {"ChaChaCha": 111, "Jive": 60, "Quickstep": 82, "Rumba": 98, "Samba": 86, "Tango": 86, "VienneseWaltz": 65, "Waltz": 110},
    {"Rumba-American": "Rumba", "Rumba-International": "Rumba", "Rumba-Misc": "Rumba"},
    (("Quickstep/Albums-AnaBelen_Veneo-11.wav", "Quickstep/Albums-Chrisanne2-12.wav"),
     ("ChaChaCha/Albums-Fire-08.wav", "Samba/Albums-Fire-09.wav"),      # one recording, two labels
     ("ChaChaCha/Albums-Latin_Jam2-05.wav", "ChaChaCha/Albums-Latin_Jam2-13.wav"),
     ("Waltz/Albums-Secret_Garden-01.wav", "Waltz/Media-104705.wav"),
     ("Rumba/Albums-AnaBelen_Veneo-03.wav", "Rumba/Albums-AnaBelen_Veneo-15.wav"),
     ("Waltz/Albums-Ballroom_Magic-03.wav", "Waltz/Albums-Ballroom_Magic-18.wav"),
     ("ChaChaCha/Albums-Latin_Jam-04.wav", "ChaChaCha/Albums-Latin_Jam-13.wav"),
     ("Rumba/Albums-Latin_Jam-08.wav", "Rumba/Albums-Latin_Jam-14.wav"),
     ("Samba/Albums-Latin_Jam-06.wav", "Samba/Albums-Latin_Jam-15.wav"),
     ("Samba/Albums-Latin_Jam2-02.wav", "Samba/Albums-Latin_Jam2-14.wav"),
     ("Rumba/Albums-Latin_Jam2-07.wav", "Rumba/Albums-Latin_Jam2-15.wav"),
     ("ChaChaCha/Albums-Latin_Jam3-02.wav", "ChaChaCha/Media-103414.wav"),
     ("ChaChaCha/Media-103402.wav", "ChaChaCha/Media-103415.wav")))

# The checksum is that of the original archive, whose server is gone; the mirror is held to it
GTZAN = Known(
    "https://huggingface.co/datasets/marsyas/gtzan/resolve/main/data/genres.tar.gz", "5b3d6dddb579ab49814ab86dba69e7c7", "genres",
    dict.fromkeys(("blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock"), 100), {}, ())

SETS = {"Ballroom": BALLROOM, "GTZAN": GTZAN, "genres": GTZAN}
