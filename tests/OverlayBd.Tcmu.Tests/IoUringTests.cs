// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Tcmu.Interop;
using static Tmds.Linux.LibC;

namespace OverlayBd.Tcmu.Tests;

/// <summary>What the ring's thread relies on, of the kernel that is here.</summary>
public sealed unsafe class IoUringTests
{
    [Fact]
    public void Refusal_SaysWhy()
    {
        Assert.False(IoUring.TryCreate(0, 4, out _, out IOException? why));
        Assert.Contains("io_uring", why!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Watch_TellsOfEachSignal_ThoughNothingIsRead()
    {
        using IoUring ring = Create(4, 8);
        int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        ring.QueueWatch(descriptor, 7);
        ring.Submit();
        for (int round = 0; round < 20; round++)
        {
            Assert.False(ring.HasCompletions);
            Signal(descriptor);
            ring.SubmitAndWait();
            Assert.True(ring.TryTake(out IoCompletion completion));
            Assert.Equal(new IoCompletion(7, POLLIN, true), completion);
        }

        Assert.False(ring.TryTake(out _));
        _ = close(descriptor);
    }

    [Fact]
    public void Watch_KeepsItsFileOpen_UntilItsLastCompletion()
    {
        using IoUring ring = Create(4, 8);
        (int reader, int writer) = Pipe();
        ring.QueueWatch(reader, 7);
        ring.Submit();
        ring.QueueEnd(7, 9);
        ring.SubmitAndWait();
        Assert.True(ring.TryTake(out IoCompletion last));
        Assert.Equal(new IoCompletion(7, -ECANCELED, false), last);
        Assert.False(ring.TryTake(out _));
        _ = close(reader);
        byte nothing = 0;
        Assert.Equal(-1, (int)write(writer, &nothing, 1));
        Assert.Equal(EPIPE, errno);
        _ = close(writer);
    }

    [Fact]
    public void EndOfNoWatch_SaysSo()
    {
        using IoUring ring = Create(4, 8);
        ring.QueueEnd(7, 9);
        ring.SubmitAndWait();
        Assert.True(ring.TryTake(out IoCompletion completion));
        Assert.Equal(new IoCompletion(9, -ENOENT, false), completion);
    }

    [Fact]
    public void Bell_IsRung_AndTellsOnlyOfFailure()
    {
        using IoUring ring = Create(4, 8);
        (int reader, int writer) = Pipe();
        ring.QueueBell(writer, 3);
        ring.Submit();
        uint bell = 1;
        Assert.Equal(sizeof(uint), (int)read(reader, &bell, sizeof(uint)));
        Assert.Equal(0u, bell);
        Assert.False(ring.HasCompletions);
        _ = close(reader);
        ring.QueueBell(writer, 3);
        ring.SubmitAndWait();
        Assert.True(ring.TryTake(out IoCompletion completion));
        Assert.Equal(new IoCompletion(3, -EPIPE, false), completion);
        _ = close(writer);
    }

    [Fact]
    public void MoreThanThereIsRoomFor_IsNotLost()
    {
        // 40 watches in a queue of 4 with room for 8 completions, all signalled at once, and again.
        using IoUring ring = Create(4, 8);
        int[] descriptors = [.. Enumerable.Range(0, 40).Select(_ => eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))];
        for (int i = 0; i < descriptors.Length; i++)
        {
            ring.QueueWatch(descriptors[i], (ulong)i);
        }

        ring.Submit();
        Queue<ulong> ended = new();
        for (int round = 0; round < 10; round++)
        {
            Array.ForEach(descriptors, Signal);
            HashSet<ulong> told = [];
            while (told.Count < descriptors.Length || ended.Count > 0)
            {
                for (int i = 0; i < 4 && !ring.HasOverflowed && ended.TryDequeue(out ulong key); i++)
                {
                    ring.QueueWatch(descriptors[key], key);
                }

                ring.Submit();
                while (ring.TryTake(out IoCompletion completion))
                {
                    told.Add(completion.Key);
                    if (!completion.HasMore)
                    {
                        ended.Enqueue(completion.Key);
                    }
                }
            }
        }

        Array.ForEach(descriptors, descriptor => _ = close(descriptor));
    }

    /// <summary>Skips a test where the kernel is older than 6.1, or forbids io_uring.</summary>
    internal static void SkipWithout()
    {
        bool available = IoUring.TryCreate(4, 8, out IoUring? ring, out IOException? why);
        ring?.Dispose();
        Assert.SkipUnless(available, why?.Message ?? "");
    }

    private static IoUring Create(uint submissions, uint completions)
    {
        SkipWithout();
        Assert.True(IoUring.TryCreate(submissions, completions, out IoUring? ring, out IOException? why), why?.Message);
        ring.Enable();
        return ring;
    }

    private static (int Reader, int Writer) Pipe()
    {
        int* ends = stackalloc int[2];
        Assert.Equal(0, pipe2(ends, O_CLOEXEC | O_NONBLOCK));
        return (ends[0], ends[1]);
    }

    private static void Signal(int descriptor)
    {
        ulong one = 1;
        Assert.Equal(sizeof(ulong), (int)write(descriptor, &one, sizeof(ulong)));
    }
}
