"""Ask modelaudit-picklescan what it thinks of a pickle that our own rules accept."""

from extractor_sandbox.weights.unfit import Unfit

_SECONDS = 5.0
_ADVICE = "Keep the weights as safetensors: safetensors.torch.save_file(model.state_dict(), path)."


def check(data: bytes) -> None:
    """Raise Unfit if the library calls the pickle malicious.

    Its doubts do not count: it has them about torch's own rebuild functions, wherever torch is not installed.
    """
    # Half a second to import: only archives that hold a pickle pay for it.
    import modelaudit_picklescan as picklescan

    # Without the call graph, which reads the modules installed here: a verdict would depend on the machine.
    report = picklescan.scan_bytes(
        data, options=picklescan.ScanOptions(timeout_s=_SECONDS), enrich_call_graph=False
    )
    if report.verdict is picklescan.SafetyVerdict.MALICIOUS:
        codes = sorted({finding.rule_code for finding in report.findings if finding.rule_code})
        raise Unfit(f"modelaudit-picklescan calls the pickle malicious: {', '.join(codes)}", _ADVICE)
