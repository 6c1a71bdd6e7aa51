// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Images.Tracing;

/// <summary>The two files by which the original's <c>record-trace</c> and a backstore talk (overlaybd <c>src/prefetch.cpp</c>):
/// <c>PATH.lock</c> stands for "recording", <c>PATH.ok</c> for "the trace is there".</summary>
internal sealed class TraceMarkers(string path)
{
    private readonly string _lockPath = path + ".lock";
    private readonly string _okPath = path + ".ok";

    public bool IsLocked => File.Exists(_lockPath);

    // One left by an earlier recording would be taken for this one's.
    public void Begin()
    {
        File.Delete(_okPath);
        File.WriteAllBytes(_lockPath, []);
    }

    public void Complete()
    {
        File.Delete(_lockPath);
        File.WriteAllBytes(_okPath, []);
    }

    public void Abandon() => File.Delete(_lockPath);
}
