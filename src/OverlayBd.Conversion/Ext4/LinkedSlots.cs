// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Conversion.Ext4;

/// <summary>The order in which a fixed number of slots was last used, without an allocation per use.</summary>
internal sealed class LinkedSlots
{
    private const int None = -1;
    private readonly int[] _newer;
    private readonly int[] _older;
    private int _newest = None;

    /// <param name="count">The number of slots, numbered from 0.</param>
    internal LinkedSlots(int count)
    {
        _newer = new int[count];
        _older = new int[count];
        Array.Fill(_newer, None);
        Array.Fill(_older, None);
    }

    /// <summary>Gets the slot that was not used for the longest time; -1 when none was used yet.</summary>
    internal int Oldest { get; private set; } = None;

    /// <summary>Makes <paramref name="slot"/> the most recently used one.</summary>
    internal void Touch(int slot)
    {
        if (slot == _newest)
        {
            return;
        }

        bool linked = _newer[slot] != None;
        if (linked)
        {
            int older = _older[slot];
            int newer = _newer[slot];
            _older[newer] = older;
            if (older == None)
            {
                Oldest = newer;
            }
            else
            {
                _newer[older] = newer;
            }
        }

        _older[slot] = _newest;
        _newer[slot] = None;
        if (_newest == None)
        {
            Oldest = slot;
        }
        else
        {
            _newer[_newest] = slot;
        }

        _newest = slot;
    }
}
