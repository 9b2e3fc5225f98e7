"""
Tells how a Phoenix has been told of login, and whether what it has been told opens it. Runs in its own container, after
credentials.py; the last line it prints is JSON, and holds secrets.
"""
import sys

port, file = sys.argv[1:]


def opens(token):
    try:
        ask('GET', port, '/v1/projects?limit=1', token=token)
        return True
    except urllib.error.HTTPError as error:
        # Older versions have no such page, but to whom they do not know they say so first.
        return error.code not in (401, 403)


known = list(tokens(file))
print(json.dumps({
    'env': {name: value.strip() for name, value in environment().items() if name.startswith('PHOENIX_')},
    # Where there are none, nobody has one that could be void.
    'opens': not known or any(opens(token) for token in known),
}))
