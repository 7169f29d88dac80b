"""Public data sets: where they come from, how many songs they have, which songs are replicas."""

from typing import NamedTuple

from mirdl.errors import UserError


class PublicSet(NamedTuple):
    """A public data set.

    Attributes
    ----------
    url : str
        Address of the archive, a .tar.gz.
    md5 : str
        Checksum of the archive, in hexadecimal digits.
    folder : str
        The folder of the archive that holds one folder per tag.
    songs : dict
        Tag -> number of songs.
    merged : dict
        Folder of the archive -> tag, where these differ.
    replicas : tuple of tuple of str
        Pairs of songs that are the same recording.
    """

    url: str
    md5: str
    folder: str
    songs: dict
    merged: dict
    replicas: tuple


# Archive and checksum as in mirdata; replicas: B. Sturm, "Faults in the Ballroom dataset" (2014)
BALLROOM = PublicSet(
    url="https://mtg.upf.edu/ismir2004/contest/tempoContest/data1.tar.gz",
    md5="2872a3e52070bc342a4510a95e2fa0b8",
    folder="BallroomData",
    songs={
        "ChaChaCha": 111, "Jive": 60, "Quickstep": 82, "Rumba": 98, "Samba": 86, "Tango": 86,
        "VienneseWaltz": 65, "Waltz": 110,
    },
    merged={"Rumba-American": "Rumba", "Rumba-International": "Rumba", "Rumba-Misc": "Rumba"},
    replicas=(
        ("Quickstep/Albums-AnaBelen_Veneo-11.wav", "Quickstep/Albums-Chrisanne2-12.wav"),
        ("ChaChaCha/Albums-Fire-08.wav", "Samba/Albums-Fire-09.wav"),   # with different labels
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
        ("ChaChaCha/Media-103402.wav", "ChaChaCha/Media-103415.wav"),
    ),
)

# The original archive's server is gone; the checksum is still the original's, so the mirror's
# archive must equal it
GTZAN = PublicSet(
    url="https://huggingface.co/datasets/marsyas/gtzan/resolve/main/data/genres.tar.gz",
    md5="5b3d6dddb579ab49814ab86dba69e7c7",
    folder="genres",
    songs=dict.fromkeys(
        ("blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae",
         "rock"), 100),
    merged={},
    replicas=(),
)

SETS = {"Ballroom": BALLROOM, "GTZAN": GTZAN, "genres": GTZAN}


def known_replicas(ds: dict) -> tuple[tuple[str, str], ...]:
    """Return the pairs of songs that are the same recording, if DS.replicas asks for them.

    Parameters
    ----------
    ds : dict
        parameters["DS"]; used are dataset and replicas.

    Returns
    -------
    tuple of tuple of str
        Pairs of song names (TAG/file); empty with replicas "keep".

    Raises
    ------
    UserError
        If no replicas of the data set are known.
    """
    if ds["replicas"] == "keep":
        return ()
    known = SETS.get(ds["dataset"])
    if not known or not known.replicas:
        raise UserError(
            f"DS.replicas={ds['replicas']} needs a data set whose replicas are known: Ballroom, "
            f"not {ds['dataset']}; name songs that belong together in DS.groups"
        )
    return known.replicas
