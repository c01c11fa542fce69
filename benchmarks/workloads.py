"""What is asked: nine workloads as GraphQL against the contract, with the same sign-in on every request.

W7 writes, and is in benchmarks/writing.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from schema.ids import encode_id


@dataclass(frozen=True)
class Workload:
    """A document and what it is about; `picks` names the statement that finds what to ask for."""

    name: str
    title: str
    document: str


W1: Final = Workload(
    "W1",
    "card by code",
    """
query Card($code: String!) {
  invite(code: $code) {
    id status expiresAt card { id name kind region { code fullName } parentName contactPhone }
  }
}
""",
)
W2: Final = Workload(
    "W2",
    "50 children × 8 fields",
    """
query Children($id: ID!) {
  union(id: $id) {
    children(first: 50) {
      nodes { id name kind status path depth uscc createdAt }
      pageInfo { hasNextPage endCursor }
    }
  }
}
""",
)
W3: Final = Workload(
    "W3",
    "oldest 50 pending",
    """
query Queue($id: ID!) {
  pendingReviews(under: $id, first: 50) {
    nodes {
      id name kind status round submittedAt
      applicant { id realName phone } parent { id name } parentPath
    }
    pageInfo { hasNextPage endCursor }
  }
}
""",
)
W4: Final = Workload(
    "W4",
    "statistics",
    """
query Statistics($id: ID!) {
  union(id: $id) {
    id name statistics { unions grassroots higherLevel pending approved rejected oldestPendingAt }
  }
}
""",
)
W5: Final = Workload(
    "W5",
    "ancestors",
    """
query Ancestors($id: ID!) {
  union(id: $id) { id name depth parent { id name } ancestors { id name kind path } }
}
""",
)
W6: Final = Workload(
    "W6",
    "two characters in a city",
    """
query Search($id: ID!, $search: String!) {
  union(id: $id) {
    descendants(first: 20, search: $search) { nodes { id name kind path } pageInfo { hasNextPage } }
  }
}
""",
)
W8: Final = Workload(
    "W8",
    "10 × 100 × 8 fields",
    """
query Branches($id: ID!) {
  union(id: $id) {
    children(first: 10) {
      nodes { children(first: 100) { nodes { id name kind status path depth uscc createdAt } } }
    }
  }
}
""",
)
W9: Final = Workload(
    "W9",
    "10 × 10 × 10",
    """
query Levels($id: ID!) {
  union(id: $id) {
    children(first: 10) {
      nodes {
        id name
        children(first: 10) {
          nodes { id name children(first: 10) { nodes { id name kind path } } }
        }
      }
    }
  }
}
""",
)
READS: Final = (W1, W2, W3, W4, W5, W6, W8, W9)


@dataclass(frozen=True)
class Ask:
    """One question: who asks, and about what. `keys` has unions by their ids in the database."""

    token: str
    keys: dict[str, int | str]
    # How deep in the tree the union lies that it is about.
    depth: int = 0
    variables: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        named = {name: encode_id("Union", key) if isinstance(key, int) else key for name, key in self.keys.items()}
        object.__setattr__(self, "variables", named)
