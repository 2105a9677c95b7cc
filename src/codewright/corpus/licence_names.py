"""Names and wordings of licences: which are permissive, and how people write them.

Data alone; `licences` knows what to do with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

PERMISSIVE = frozenset({
    "0BSD", "AFL-3.0", "Apache-1.1", "Apache-2.0", "Artistic-2.0", "BlueOak-1.0.0",
    "BSD-1-Clause", "BSD-2-Clause", "BSD-2-Clause-Patent", "BSD-2-Clause-Views", "BSD-3-Clause",
    "BSD-3-Clause-Clear", "BSD-3-Clause-LBNL", "BSD-3-Clause-Modification", "BSD-Source-Code",
    "BSL-1.0", "CC0-1.0", "CNRI-Python", "CNRI-Python-GPL-Compatible", "curl", "ECL-2.0", "FTL",
    "HPND", "HPND-sell-variant", "ICU", "Intel", "ISC", "libpng-2.0", "MIT", "MIT-0", "MIT-CMU",
    "MIT-Modern-Variant", "MulanPSL-2.0", "NCSA", "NIST-PD-fallback", "NTP", "OpenSSL",
    "PHP-3.01", "PostgreSQL", "PSF-2.0", "Python-2.0", "Python-2.0.1", "SSH-short", "TCL",
    "Unicode-3.0", "Unicode-DFS-2016", "Unlicense", "UPL-1.0", "W3C", "WTFPL", "X11", "Xnet",
    "Zlib", "zlib-acknowledgement", "ZPL-2.1", "LicenseRef-BSD", "LicenseRef-Public-Domain",
})  # fmt: skip
"""SPDX identifiers that ask for no more than attribution or the like."""

ALIASES: Mapping[str, str] = {
    "mit": "MIT", "mit license": "MIT", "the mit license": "MIT", "mit licence": "MIT",
    "the mit license (mit)": "MIT", "mit license (mit)": "MIT", "expat": "MIT",
    "mit-cmu": "MIT-CMU", "mit-0": "MIT-0",
    "bsd": "LicenseRef-BSD", "bsd license": "LicenseRef-BSD", "bsd-like": "LicenseRef-BSD",
    "new bsd": "BSD-3-Clause", "new bsd license": "BSD-3-Clause", "modified bsd": "BSD-3-Clause",
    "modified bsd license": "BSD-3-Clause", "3-clause bsd": "BSD-3-Clause",
    "3-clause bsd license": "BSD-3-Clause", "bsd 3-clause": "BSD-3-Clause",
    "bsd 3 clause": "BSD-3-Clause", "bsd 3-clause license": "BSD-3-Clause",
    "bsd-3": "BSD-3-Clause", "bsd (3-clause)": "BSD-3-Clause", "revised bsd": "BSD-3-Clause",
    "the bsd 3-clause license": "BSD-3-Clause", "bsd-3-clause license": "BSD-3-Clause",
    "bsd 2-clause": "BSD-2-Clause", "simplified bsd": "BSD-2-Clause",
    "simplified bsd license": "BSD-2-Clause", "2-clause bsd": "BSD-2-Clause",
    "bsd 2-clause license": "BSD-2-Clause", "bsd-2-clause license": "BSD-2-Clause",
    "apache": "Apache-2.0", "apache 2": "Apache-2.0", "apache 2.0": "Apache-2.0",
    "apache-2": "Apache-2.0", "apache2": "Apache-2.0", "apache2.0": "Apache-2.0",
    "apache license": "Apache-2.0", "apache license 2.0": "Apache-2.0",
    "apache 2.0 license": "Apache-2.0", "apache-2.0 license": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0", "apache license version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0", "apache software license 2.0": "Apache-2.0",
    "asl 2.0": "Apache-2.0", "the apache license 2.0": "Apache-2.0",
    "apache license v2.0": "Apache-2.0", "apache license, version 2": "Apache-2.0",
    "isc": "ISC", "isc license": "ISC", "iscl": "ISC", "isc license (iscl)": "ISC",
    "psf": "PSF-2.0", "psfl": "PSF-2.0", "psf license": "PSF-2.0", "psf-2.0": "PSF-2.0",
    "python software foundation license": "PSF-2.0", "python": "Python-2.0",
    "python license": "Python-2.0", "unlicense": "Unlicense", "the unlicense": "Unlicense",
    "the unlicense (unlicense)": "Unlicense", "zlib": "Zlib", "zlib/libpng license": "Zlib",
    "public domain": "LicenseRef-Public-Domain", "hpnd": "HPND", "cc0": "CC0-1.0",
    "cc0 1.0": "CC0-1.0", "boost software license 1.0": "BSL-1.0",
    "historical permission notice and disclaimer": "HPND",
    "historical permission notice and disclaimer (hpnd)": "HPND",
    "zpl 2.1": "ZPL-2.1", "zope public license": "ZPL-2.1", "zpl": "ZPL-2.1",
    "w3c license": "W3C", "wtfpl": "WTFPL",
    "dual license": "", "mpl 2.0": "MPL-2.0", "mpl-2.0": "MPL-2.0",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0", "mpl": "MPL-2.0",
    "gpl": "GPL-2.0-or-later", "gplv2": "GPL-2.0-only", "gplv2+": "GPL-2.0-or-later",
    "gplv3": "GPL-3.0-only", "gplv3+": "GPL-3.0-or-later", "lgpl": "LGPL-2.1-or-later",
    "lgplv3": "LGPL-3.0-only", "lgplv3+": "LGPL-3.0-or-later", "agpl": "AGPL-3.0-only",
    "agplv3": "AGPL-3.0-only", "agplv3+": "AGPL-3.0-or-later",
    "boost software license 1.0 (bsl-1.0)": "BSL-1.0",
    "mit no attribution license (mit-0)": "MIT-0",
    "cc0 1.0 universal (cc0 1.0) public domain dedication": "CC0-1.0",
    "academic free license (afl)": "AFL-3.0", "universal permissive license (upl)": "UPL-1.0",
    "university of illinois/ncsa open source license": "NCSA",
}  # fmt: skip
"""What people write instead of an SPDX identifier, in lower case."""

WORDINGS: Sequence[tuple[str, str]] = (
    ("gnu affero general public license", "AGPL-3.0-or-later"),
    ("gnu lesser general public license", "LGPL-2.1-or-later"),
    ("gnu library general public license", "LGPL-2.0-or-later"),
    ("gnu general public license", "GPL-2.0-or-later"),
    ("mozilla public license", "MPL-2.0"),
    ("eclipse public license", "EPL-2.0"),
    ("european union public licence", "EUPL-1.2"),
    ("common development and distribution license", "CDDL-1.0"),
    ("server side public license", "SSPL-1.0"),
    ("business source license", "BUSL-1.1"),
    ("apache license version 2.0", "Apache-2.0"),
    ("licensed under the apache license", "Apache-2.0"),
    ("boost software license - version 1.0", "BSL-1.0"),
    ("python software foundation license version 2", "PSF-2.0"),
    ("this is free and unencumbered software released into the public domain", "Unlicense"),
    ("cc0 1.0 universal", "CC0-1.0"),
    ("zope public license", "ZPL-2.1"),
    ("upl version 1.0", "UPL-1.0"),
    ("academic free license", "AFL-3.0"),
    ("do what the fuck you want to public license", "WTFPL"),
    ("permission is hereby granted, free of charge, to any person obtaining", "MIT"),
    ("permission to use, copy, modify, and/or distribute this software for any", "ISC"),
    ("permission to use, copy, modify, and distribute this software for any", "ISC"),
    ("permission to use, copy, modify, and distribute this software and its", "HPND"),
    ("permission to use, copy, modify and distribute this software and its", "HPND"),
    ("redistribution and use in source and binary forms", "BSD"),
    ("this software is provided 'as-is', without any express or implied", "Zlib"),
)
"""Wording in lower case with single spaces, and the licence that it opens."""
