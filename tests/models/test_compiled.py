from typing import Any

import pytest
import torch

from cheart.models.compiled import compiled


def test_without_a_compiler_the_function_itself_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def no_compiler(function: Any) -> Any:
        def call(*args: Any) -> Any:
            tried.append(args)
            raise torch._dynamo.exc.BackendCompilerFailed("inductor", RuntimeError("no C++ compiler"), None)

        return call

    monkeypatch.setattr(torch, "compile", no_compiler)
    double = compiled(lambda x: 2 * x)
    with pytest.warns(RuntimeWarning, match="nothing is compiled"):
        assert double(3) == 6
    assert double(4) == 8
    assert len(tried) == 1


def test_other_errors_are_the_functions_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", lambda function: function)

    def broken(x: float) -> float:
        raise ValueError(x)

    with pytest.raises(ValueError, match="3"):
        compiled(broken)(3)
