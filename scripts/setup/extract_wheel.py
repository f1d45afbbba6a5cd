"""extract_wheel.py WHEEL TARGET PATTERN…: writes the wheel's files whose path matches one of the patterns."""
import fnmatch
import sys
import zipfile

wheel, target, *patterns = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    found = [name for name in archive.namelist() if any(fnmatch.fnmatchcase(name, p) for p in patterns)]
    for name in found:
        archive.extract(name, target)
    print("\n".join(found))
