"""
Reports the login configuration of a Phoenix, and whether its credentials work. Runs in its own container, after
credentials.py; the last line it prints is JSON, and holds secrets.
"""
import sys

port, file = sys.argv[1:]


def opens(token):
    try:
        ask('GET', port, '/v1/projects?limit=1', token=token)
        return True
    except urllib.error.HTTPError as error:
        # Older versions have no such page, but they refuse unknown clients first.
        return error.code not in (401, 403)


known = list(tokens(file))
print(json.dumps({
    'env': {name: value.strip() for name, value in environment().items() if name.startswith('PHOENIX_')},
    # Without keys, no key can become invalid.
    'opens': not known or any(opens(token) for token in known),
}))
