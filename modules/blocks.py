"""The former place of ``modules.terraform_blocks``, for projects that import it."""

from modules.terraform_blocks import Block, typed_block

__all__ = ["Block", "typed_block"]
