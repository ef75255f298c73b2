"""What a case becomes, decided by the case itself, so that a seed decides everything."""

import hashlib
import itertools
import json

CASES = itertools.count()


class Choice:
    """A row of choices, all decided by one case, and by how many there were before: there is one worker."""

    def __init__(self, case):
        self.case = next(CASES)
        case_text = [case.method, case.path, case.path_parameters, case.query, repr(case.body)]
        seed = json.dumps([self.case, *case_text], default=repr)
        self.digest = hashlib.sha256(seed.encode("utf-8", "surrogatepass")).digest()
        self.used = 0

    def below(self, limit):
        self.used += 1
        return int.from_bytes(hashlib.sha256(self.digest + bytes([self.used])).digest()[:6], "big") % limit

    def of(self, values):
        return values[self.below(len(values))]

    def some(self, pairs, most):
        """Up to `most` of the items of a dictionary."""
        names = [self.of(sorted(pairs)) for _ in range(self.below(most + 1))]
        return {name: pairs[name] for name in names}
