// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Lsmt;

namespace OverlayBd.Format.Tests.Lsmt;

/// <summary>An index as the simplest thing that can be right: one entry for each sector.</summary>
internal sealed class LsmtSectorModel(int sectors)
{
    private readonly (bool IsMapped, bool IsZeroed, long Mapped, byte Tag)[] _sectors = new (bool, bool, long, byte)[sectors];

    public long Stored => _sectors.Count(sector => sector.IsMapped && !sector.IsZeroed);

    public void Set(int at, int length, long mapped, bool zeroed, byte tag = 0)
    {
        for (int i = 0; i < length; i++)
        {
            _sectors[at + i] = (true, zeroed, zeroed ? 0 : mapped + i, tag);
        }
    }

    /// <summary>Checks a whole index whose sector 0 is <paramref name="start"/>.</summary>
    public void Verify(ReadOnlySpan<LsmtMapping> mappings, long start)
    {
        long at = start;
        foreach (LsmtMapping mapping in mappings)
        {
            Assert.True(mapping.Length > 0 && mapping.Offset >= at);
            VerifyHole(at - start, mapping.Offset - start);
            for (int i = 0; i < mapping.Length; i++)
            {
                Assert.Equal(
                    (true, mapping.IsZeroed, mapping.IsZeroed ? 0 : mapping.MappedOffset + i, mapping.Tag),
                    _sectors[mapping.Offset - start + i]);
            }

            at = mapping.End;
        }

        VerifyHole(at - start, _sectors.Length);
    }

    /// <summary>Checks a run that was found in a window.</summary>
    public void Verify(LsmtRun run, int from, int to, long start)
    {
        if (run.Length == 0)
        {
            VerifyHole(from, to);
            return;
        }

        Assert.InRange(run.Offset - start, from, to - 1);
        VerifyHole(from, run.Offset - start);
        for (int i = 0; i < run.Length; i++)
        {
            Assert.Equal((true, run.IsZeroed, run.IsZeroed ? 0 : run.MappedOffset + i, run.Tag), _sectors[run.Offset - start + i]);
        }
    }

    private void VerifyHole(long from, long to)
    {
        for (long i = from; i < to; i++)
        {
            Assert.False(_sectors[i].IsMapped);
        }
    }
}
