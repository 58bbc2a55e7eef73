"""What all tables of the configuration file have in common."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A table of the file: nothing unknown in it, nothing changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True)
